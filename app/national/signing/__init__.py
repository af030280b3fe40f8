"""How a message proves who sent it. One module per gateway profile."""
