"""One page that shows what predictions reach and what is wrong with them."""
