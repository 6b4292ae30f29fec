"""The methods of `AsyncLix`, in one module per subject. Each method calls one endpoint."""
