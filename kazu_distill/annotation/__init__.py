"""From a text to grounded, cleaned spans with the help of an LLM: prompt → ask → parse → ground → clean."""
