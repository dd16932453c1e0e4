"""The small model: words, label scheme, windows, training, decoding and prediction."""
