"""Signatures of the Notary Project: envelopes in COSE and JWS, judged against a trust store and identities."""
