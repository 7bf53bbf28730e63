"""How webhooks fare: their success over the last day, hour by hour."""
