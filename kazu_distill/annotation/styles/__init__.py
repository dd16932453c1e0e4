"""Forms of question and answer: how classes are explained, and how answers are written and read."""
