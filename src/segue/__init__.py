"""Segue sends the results of SQL queries to Klaviyo and keeps them true there."""
