def command()->None:
    """Test."""
