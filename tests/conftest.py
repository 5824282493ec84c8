"""Lies beside factories.py so that every test can import it by name."""
