"""What labelling a corpus would take, before anything is asked."""
