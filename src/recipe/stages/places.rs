//! Places of a frame that a recipe names: regions, and lines.

use crate::template::Line;
use crate::template::Region;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Polygons by their names. A mistake in one stands at its corners.
pub(in crate::recipe) fn regions<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Arc<BTreeMap<String, Region>>, D::Error> {
    struct Polygon(Region);

    impl<'de> Deserialize<'de> for Polygon {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let corners = Vec::<[f64; 2]>::deserialize(deserializer)?;
            Region::new(&corners).map(Self).map_err(D::Error::custom)
        }
    }

    let polygons = BTreeMap::<String, Polygon>::deserialize(deserializer)?;
    let regions = polygons
        .into_iter()
        .map(|(name, Polygon(region))| (name, region));
    Ok(Arc::new(regions.collect()))
}

/// Lines by their names. A mistake in one stands at its points.
pub(in crate::recipe) fn lines<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Arc<BTreeMap<String, Line>>, D::Error> {
    struct Drawn(Line);

    impl<'de> Deserialize<'de> for Drawn {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let points = Vec::<[f64; 2]>::deserialize(deserializer)?;
            Line::new(&points).map(Self).map_err(D::Error::custom)
        }
    }

    let drawn = BTreeMap::<String, Drawn>::deserialize(deserializer)?;
    let lines = drawn.into_iter().map(|(name, Drawn(line))| (name, line));
    Ok(Arc::new(lines.collect()))
}
