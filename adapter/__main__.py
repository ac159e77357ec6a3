"""`python -m adapter` and the `adapter` command."""

from adapter.cli import main

if __name__ == "__main__":
    main()
