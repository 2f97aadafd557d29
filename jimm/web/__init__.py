"""Door 4: the pages that JIMM shows in a browser, plain HTML that needs no JavaScript."""
