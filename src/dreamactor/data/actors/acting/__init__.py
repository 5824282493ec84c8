"""What actors do: where performances come from."""
