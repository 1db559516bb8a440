#!/bin/sh
# Renews the files of others that Insights serves: Apache ECharts, reduced to what the pages draw, and the
# world map, already projected; and axe-core, which the tests use. Needs npm. What it writes is committed.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
static=$root/src/pharos/insights/static/vendor
tests=$root/tests/insights/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save echarts@6.1.0 world-atlas@2.0.2 topojson-client@3.1.0 i18n-iso-countries@7 axe-core@4.14.1 esbuild@0.25
rm -rf "$static" "$tests"
mkdir -p "$static" "$tests"

cat > charts.js <<'JS'
import * as core from "echarts/core";
import { LineChart, BarChart, MapChart } from "echarts/charts";
import { GridComponent, TooltipComponent, MarkLineComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";
core.use([LineChart, BarChart, MapChart, GridComponent, TooltipComponent, MarkLineComponent, SVGRenderer]);
export const { init, registerMap } = core;
JS
npx esbuild charts.js --bundle --minify --format=iife --global-name=echarts --target=es2022 \
  --legal-comments=none --log-level=warning --outfile="$static/echarts-6.1.0.js"

node -e '
const { feature } = require("topojson-client");
const { numericToAlpha2 } = require("i18n-iso-countries");
const atlas = require("world-atlas/countries-110m.json");
const world = feature(atlas, atlas.objects.countries);
// A ring across the antimeridian is cut in two there, or a flat map draws it across the world.
const clip = (ring, keep) => ring.flatMap((p, i) => {
  const q = ring[(i + 1) % ring.length], inside = keep(p[0]), out = inside ? [p] : [];
  if (inside !== keep(q[0])) out.push([180, p[1] + (q[1] - p[1]) * (180 - p[0]) / (q[0] - p[0])]);
  return out;
});
const cut = ([ring, ...holes]) => {
  if (!ring.some((p, i) => i && Math.abs(p[0] - ring[i - 1][0]) > 180)) return [[ring, ...holes]];
  const whole = ring.slice(0, -1).map(([x, y]) => [x < 0 ? x + 360 : x, y]);
  const east = clip(whole, (x) => x <= 180), west = clip(whole, (x) => x > 180).map(([x, y]) => [x - 360, y]);
  return [east, west].filter((r) => r.length > 2).map((r) => [[...r, r[0]]]);
};
// Equal Earth: an equal-area map, so that a dark country is dark and not merely large.
const [A, B, C, D] = [1.340264, -0.081106, 0.000893, 0.003796], K = Math.sqrt(3) / 2;
const project = ([lon, lat]) => {
  const t = Math.asin(K * Math.sin(lat * Math.PI / 180)), s = t * t, u = s ** 3;
  const x = lon * Math.PI / 180 * Math.cos(t) / (K * (A + 3 * B * s + u * (7 * C + 9 * D * s)));
  return [x, t * (A + B * s + u * (C + D * s))].map((v) => Math.round(v * 1000));
};
const features = world.features.filter((f) => f.id !== "010").map((f) => {  // without Antarctica
  const parts = f.geometry.type === "Polygon" ? [f.geometry.coordinates] : f.geometry.coordinates;
  const coordinates = parts.flatMap(cut).map((part) => part.map((ring) => ring.map(project)));
  return { type: "Feature", properties: { id: numericToAlpha2(f.id) ?? f.properties.name }, geometry: { type: "MultiPolygon", coordinates } };
});
process.stdout.write("window.WORLD = " + JSON.stringify({ type: "FeatureCollection", features }) + ";\n");
' > "$static/world-atlas-2.0.2.js"

# Browsers that take Brotli get it at the strength that is too slow for the server.
node -e '
const fs = require("fs"), zlib = require("zlib"), strength = { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 };
for (const file of process.argv.slice(1)) fs.writeFileSync(file + ".br", zlib.brotliCompressSync(fs.readFileSync(file), { params: strength }));
' "$static"/*.js

cp node_modules/echarts/LICENSE "$static/echarts-6.1.0.LICENSE"
cp node_modules/echarts/NOTICE "$static/echarts-6.1.0.NOTICE"
cp node_modules/zrender/LICENSE "$static/zrender-$(node -p 'require("zrender/package.json").version').LICENSE"
cp node_modules/world-atlas/LICENSE "$static/world-atlas-2.0.2.LICENSE"
cp node_modules/axe-core/axe.min.js "$tests/axe-core-4.14.1.js"
cp node_modules/axe-core/LICENSE "$tests/axe-core-4.14.1.LICENSE"
