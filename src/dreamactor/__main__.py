"""`python -m dreamactor`, and what torchrun starts."""

from dreamactor.app.main import main

if __name__ == "__main__":
    main()
