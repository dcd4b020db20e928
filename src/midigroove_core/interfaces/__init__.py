"""The three contracts a plugin can fulfil: Codec, GridFeaturizer, Model."""
