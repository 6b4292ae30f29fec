"""The LookC API: people by e-mail address, employees of an organisation."""
