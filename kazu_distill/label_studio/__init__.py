"""Show documents in Label Studio, where people look at them and mend them."""
