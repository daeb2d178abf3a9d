"""The ways to sign in: an identity provider, or users of a local file."""
