"""What commands read: files of links and addresses, and single targets."""
