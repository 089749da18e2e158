"""The program's entry point, under both of its names and as ``python -m enigmacli``."""

from enigmacli.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
