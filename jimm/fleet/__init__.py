"""The use cases, one file per noun. Each takes the caller and checks what they may do.

Five words. The *fleet* is all registered controllers with what the use cases need to work on
them. A *caller* is who asks, through which door. *Trust* is how a controller knows JIMM and its
users. An *intent* is what was begun on a controller and may have an unknown outcome. *Facts*
are what a controller last said of a model.
"""
