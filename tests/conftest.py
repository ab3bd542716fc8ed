"""What tests share: an empty registry, a trained model, and a store of each kind."""

from __future__ import annotations
