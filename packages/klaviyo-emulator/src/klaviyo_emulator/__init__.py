"""A faithful fake of the Klaviyo API for demos, tests and anyone who builds against Klaviyo."""
