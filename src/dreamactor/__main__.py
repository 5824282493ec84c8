"""`python -m dreamactor`, and what torchrun starts."""

from dreamactor.app.main import main

main()
