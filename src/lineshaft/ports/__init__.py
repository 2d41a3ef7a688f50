"""What the services need from outside: small Protocols, owned here by those who call them."""
