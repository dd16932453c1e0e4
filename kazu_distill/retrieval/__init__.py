"""What is shown to an LLM beside a text: labelled examples, and background; found for each text, and never its own."""
