"""Replicate: models that run on somebody else's machines, through the official client.

The client's own ``run`` is not used: it takes a prediction that is still running after a minute for finished, says nothing of
one that was cancelled, and its ``FileOutput`` sends the account's token to whatever address a model's output names. Predictions
are created and asked after through the same client; files are fetched without the token.
"""
