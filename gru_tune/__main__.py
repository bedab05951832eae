"""``python -m gru_tune``: the same as the command ``gru-tune``."""

from gru_tune.cli import main

if __name__ == "__main__":
    main()
