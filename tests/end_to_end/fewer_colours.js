/* The most frequent colours of a picture (PNG as base64), and for each of its points the nearest of them. A colour
   hardly to be told from one chosen before is left out, so that rare ones such as the accent have their place. */
async ([shown, most]) => {
  const image = await createImageBitmap(await (await fetch("data:image/png;base64," + shown)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height), paper = canvas.getContext("2d");
  paper.drawImage(image, 0, 0);
  const points = new Uint32Array(paper.getImageData(0, 0, image.width, image.height).data.buffer);
  const counts = new Map();
  for (const point of points) counts.set(point, (counts.get(point) ?? 0) + 1);
  const parts = (c) => [c & 255, c >> 8 & 255, c >> 16 & 255];
  const far = ([r, g, b], [x, y, z]) => (x - r) ** 2 + (y - g) ** 2 + (z - b) ** 2;
  const palette = [];
  for (const [colour] of [...counts].sort((a, b) => b[1] - a[1])) {
    if (palette.length === most) break;
    if (palette.every((chosen) => far(parts(colour), chosen) > 150)) palette.push(parts(colour));
  }
  const nearest = new Map();
  for (const colour of counts.keys()) {
    const distances = palette.map((chosen) => far(parts(colour), chosen));
    nearest.set(colour, distances.indexOf(Math.min(...distances)));
  }
  const indices = Uint8Array.from(points, (point) => nearest.get(point));
  const text = (bytes) => {
    let out = "";
    for (let i = 0; i < bytes.length; i += 32768) out += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return btoa(out);
  };
  return [text(Uint8Array.from(palette.flat())), text(indices)];
}
