"""What an annotation run did."""
