"""How documents are put into the parts train, eval and test; pure functions of documents and a seed."""
