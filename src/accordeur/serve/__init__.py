"""An OpenAI-compatible server for bundles and models of this machine."""
