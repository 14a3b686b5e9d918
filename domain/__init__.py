"""The words that everything in Clew shares. Standard library, NumPy and msgspec only."""
