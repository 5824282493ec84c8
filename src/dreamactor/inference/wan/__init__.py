"""Wan-Animate as another model behind the same requests: its control videos, its weights, its memory, and the road."""
