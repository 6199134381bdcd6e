"""MSBuild's XML: elements, properties, conditions and imports, as far as texts decide them."""
