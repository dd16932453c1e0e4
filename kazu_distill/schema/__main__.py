"""``python -m kazu_distill.schema``: the stage that proposes classes for free types."""

from kazu_distill.propose_schema import main

if __name__ == "__main__":
    main()
