"""How documents are read from the formats that corpora come in; one module a format."""
