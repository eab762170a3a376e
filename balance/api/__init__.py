"""The account over HTTP: routes, guards, problems and the stream."""
