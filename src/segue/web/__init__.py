"""The web app: pages in the browser over the same use cases as the REST API and the commands."""

from segue.web.app import with_pages

__all__ = ["with_pages"]
