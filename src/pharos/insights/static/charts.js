/* Draws the charts. Their data sit in a JSON script element inside each figure: no inline code. */
(() => {
  "use strict";
  const root = document.documentElement, lang = root.lang;
  const rtl = () => root.dir === "rtl";
  const whole = new Intl.NumberFormat(lang, { useGrouping: "always" });  // as the server does, also in Spanish
  const share = new Intl.NumberFormat(lang, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const tenth = new Intl.NumberFormat(lang, { style: "percent", maximumFractionDigits: 0 });
  const pair = new Intl.NumberFormat(lang, { minimumIntegerDigits: 2 });
  const day = (options) => { const f = new Intl.DateTimeFormat(lang, { timeZone: "UTC", ...options }); return (t) => f.format(new Date(t)); };
  const fullDay = day({ weekday: "short", day: "numeric", month: "long", year: "numeric" });
  const shortDay = day({ day: "numeric", month: "short" });
  const month = day({ month: "short", year: "numeric" });
  const DAY = 86400000, SHEET = 690;
  const count = (value) => value === null || value === undefined ? "–" : whole.format(value);

  /* Custom properties resolve light-dark() only where they are used, so ask a probe. */
  const probe = document.createElement("i");
  const colour = (name) => { probe.style.color = `var(--${{ n0: "ink-3", a0: "accent" }[name] ?? name})`; return getComputedStyle(probe).color; };
  const clean = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const font = () => getComputedStyle(document.body).fontFamily;

  const tip = () => ({
    confine: true, padding: [8, 12], backgroundColor: colour("surface"), borderColor: colour("line-strong"),
    borderWidth: 1, extraCssText: "box-shadow:none;border-radius:4px", transitionDuration: 0, textStyle: { color: colour("ink") },
  });
  const tipTable = (head, rows) => `<div class="tip"><b>${clean(head)}</b><table>${rows.map(([c, name, value, sum]) =>
    `<tr${sum ? ' class="sum"' : ""}><td>${c ? `<i class="${c}"></i>` : ""}${clean(name)}</td><td>${clean(value)}</td></tr>`).join("")}</table></div>`;

  /* Five or so round steps from zero to just above the largest value. */
  const scale = (most) => {
    if (most <= 5) return { interval: 1, max: Math.max(1, Math.ceil(most)) };
    const raw = most / 5, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].find((n) => n * power >= raw && Number.isInteger(n * power)) * power;
    return { interval: step, max: Math.ceil(most / step) * step };
  };

  /* Regular ticks that fit: days, Mondays, firsts of months, of quarters or of years; never turned labels. */
  function ticks(days, weekly, width) {
    const times = days.map((d) => Date.parse(d)), [first, last] = [times[0], times.at(-1)];
    const room = Math.max(2, Math.floor(width / 80)), span = (last - first) / DAY;
    const every = (step, from) => { const out = []; for (let t = from; t <= last; t += step * DAY) out.push(t); return out; };
    if (weekly && times.length <= room * 8) { const skip = Math.ceil(times.length / room); return { at: times.filter((_, i) => (times.length - 1 - i) % skip === 0), format: shortDay }; }
    if (!weekly && span < room) return { at: every(1, first), format: shortDay };
    const monday = first + (8 - new Date(first).getUTCDay()) % 7 * DAY;
    for (const weeks of [1, 2, 4]) if (span / 7 / weeks <= room && span < 200) return { at: every(7 * weeks, monday), format: shortDay };
    const firsts = [];
    for (let d = new Date(first), t; (t = Date.UTC(d.getUTCFullYear(), d.getUTCMonth() + (firsts.skipped ?? 0), 1)) <= last; firsts.skipped = (firsts.skipped ?? 0) + 1) if (t >= first) firsts.push(t);
    const step = [1, 2, 3, 6, 12, 24, 60].find((n) => firsts.length / n <= room) ?? 120;
    return { at: firsts.filter((t) => { const d = new Date(t); return (d.getUTCFullYear() * 12 + d.getUTCMonth()) % step === 0; }), format: month };
  }

  /* Values over time: areas stacked from the smallest that matters up, or lines from zero.
     Names stand at the end of what they name; where two would touch they move apart. */
  function trend(data, { mode, narrow, height, width }) {
    const stacked = mode === "stacked", end = data.days.length - 1;
    const at = (values) => values.map((v, i) => [data.days[i], v]);
    const total = data.days.map((_, i) => data.series.reduce((sum, s) => sum + (s.values[i] ?? 0), 0));
    const drawn = data.series.flatMap((s) => s.values);
    const axis = scale(Math.max(1, ...(data.total ? total : drawn), ...(data.before?.values ?? []), ...(data.band?.[1].values ?? [])));
    const grid = { top: 36, bottom: 28 };
    const pixel = (v) => v / axis.max * (height - grid.top - grid.bottom);

    let below = 0;
    const places = data.series.map((s) => {
      const value = s.values[end] ?? 0, top = below + value;
      const place = stacked ? { name: s.name, drawn: top, wanted: (below + top) / 2, value } : { name: s.name, drawn: value, wanted: value, value };
      below = top;
      return place;
    });
    const alone = data.series.length === 1;
    const range = (i) => data.band.map((edge) => edge.values[i]).filter((v, n, all) => n === 0 || v !== all[0]).map(count).join("–");
    if (data.total && !alone) places.push({ name: data.total, drawn: total[end], wanted: total[end], value: total[end] });
    if (data.before && data.before.values[end] !== null) places.push({ name: data.before.name, drawn: data.before.values[end], wanted: data.before.values[end], value: data.before.values[end] });
    if (data.band && data.band[1].values[end] !== null) {
      const [low, high] = data.band.map((edge) => edge.values[end]);
      places.push({ name: data.band[1].name, drawn: high, wanted: (low + high) / 2, value: high, text: range(end) });
    }
    let free = -Infinity;
    for (const place of [...places].sort((a, b) => a.wanted - b.wanted)) {
      place.y = Math.max(pixel(place.wanted), free);
      free = place.y + 17;
    }
    /* Pushed past the top of the chart they move down together. */
    const over = Math.max(0, free - 17 - (height - grid.top - grid.bottom) - 12);
    if (over) { let ceiling = Infinity; for (const place of [...places].sort((a, b) => b.y - a.y)) { place.y = Math.min(place.y - over, ceiling); place.y = Math.min(place.y + over, ceiling === Infinity ? place.y : ceiling); ceiling = place.y - 17; } }
    const room = narrow ? 12 : 36 + Math.max(...places.map((p) => (p.name.length + (p.text ?? count(p.value)).length) * 6.6));
    const label = (name) => {
      const place = places.find((p) => p.name === name);
      if (!place || narrow) return { show: false };
      return {
        show: true, distance: 10, color: colour("ink-2"), fontSize: 12, align: rtl() ? "right" : "left", offset: [rtl() ? -20 : 0, pixel(place.drawn) - place.y],
        formatter: () => { const n = `{v|${place.text ?? count(place.value)}}`; return rtl() ? `${n}  ${name}` : `${name}  ${n}`; },
        rich: { v: { fontWeight: 600, color: colour("ink"), fontSize: 12 } },
      };
    };
    const line = (name, values, style) => ({ type: "line", name, data: at(values), symbol: "none", endLabel: label(name), emphasis: { disabled: true }, ...style });
    const series = data.series.map((s) => line(s.name, s.values, {
      stack: stacked ? "tracks" : undefined, color: colour(s.colour), lineStyle: { width: 2, type: stacked ? "solid" : s.dash ?? "solid" }, areaStyle: stacked ? { opacity: .2 } : undefined,
    }));
    if (data.total && !alone) series.push(line(data.total, total, { color: colour("ink"), lineStyle: { width: stacked ? 0 : 2 } }));
    /* A range: an unseen lower edge, and on it the difference as an area. */
    if (data.band) {
      const [low, high] = data.band, edge = { stack: "range", stackStrategy: "all", color: colour("ink-3"), lineStyle: { width: 0 } };
      series.push({ ...line(low.name, low.values, edge), endLabel: { show: false } });
      series.push(line(high.name, high.values.map((v, i) => v === null ? null : v - low.values[i]), { ...edge, areaStyle: { opacity: .25 } }));
    }
    if (data.before) series.push(line(data.before.name, data.before.values, { color: colour("ink-3"), lineStyle: { width: 1.5, type: [4, 4] }, connectNulls: false }));
    /* Names of marks stand above their lines; one that would touch the name before it is in tooltip and table only. */
    const from = Date.parse(data.days[0]), span = Math.max(DAY, Date.parse(data.days[end]) - from);
    let taken = -Infinity;
    const marks = data.marks.map((mark) => {
      const x = (Date.parse(mark.day) - from) / span * (width - 52 - room), half = mark.name.length * 3.3 + 6;
      const fits = !narrow && x - half > taken;
      if (fits) taken = x + half;
      return { name: mark.name, xAxis: mark.day, label: { show: fits } };
    });
    if (marks.length) series.at(-1).markLine = {
      silent: true, animation: false, symbol: ["none", "diamond"], symbolSize: 9, lineStyle: { color: colour("accent"), width: 1, type: [2, 3] },
      label: { color: colour("accent"), fontSize: 12, position: "end", distance: 10, formatter: ({ name }) => name },
      data: marks,
    };
    const near = (i) => data.marks.filter((mark) => mark.day <= data.days[i] && (i === 0 ? mark.day === data.days[i] : mark.day > data.days[i - 1]));
    const { at: values, format } = ticks(data.days, data.weekly, width - 44 - room);
    const head = (i) => fullDay(data.days[i]);
    return {
      grid: { ...grid, left: rtl() ? room : 52, right: rtl() ? 52 : room },
      xAxis: {
        type: "time", inverse: rtl(), min: data.days[0], max: data.days[end], axisTick: { show: true, length: 4, customValues: values, lineStyle: { color: colour("line-strong") } }, axisLine: { lineStyle: { color: colour("line-strong") } },
        axisLabel: { color: colour("ink-3"), fontSize: 12, formatter: format, customValues: values, margin: 10, hideOverlap: true }, splitLine: { show: false },
      },
      yAxis: {
        type: "value", position: rtl() ? "right" : "left", ...axis, axisLabel: { color: colour("ink-3"), fontSize: 12, formatter: (v) => whole.format(v), margin: 10 },
        splitLine: { lineStyle: { color: colour("line") } },
      },
      tooltip: {
        trigger: "axis", ...tip(), axisPointer: { type: "line", lineStyle: { color: colour("ink-2"), type: "solid" } },
        formatter: (points) => {
          const i = points[0].dataIndex;
          const rows = [...data.series].reverse().map((s) => [s.colour, s.name, count(s.values[i])]);
          if (data.total && !alone) rows.push([null, data.total, count(total[i]), true]);
          if (data.before) rows.push(["n0", data.before.name, count(data.before.values[i])]);
          if (data.band) rows.push(["n0", data.band[0].name, range(i)]);
          for (const mark of near(i)) rows.push(["a0", mark.name, ""]);
          return tipTable(head(i), rows);
        },
      },
      series,
      say: (i) => [head(i) + ":", ...(data.total && !alone ? [`${data.total} ${count(total[i])};`] : []), [...data.series.map((s) => `${s.name} ${count(s.values[i])}`).reverse(), ...(data.before ? [`${data.before.name} ${count(data.before.values[i])}`] : []), ...(data.band ? [`${data.band[0].name} ${range(i)}`] : []), ...near(i).map((mark) => mark.name)].join(", ")].join(" "),
      length: data.days.length,
      cursor: data.days.length,
    };
  }

  /* Bars over categories or over whole numbers (a histogram). */
  function bars(data, { narrow, width }) {
    const flat = data.horizontal, values = data.bars.map((b) => b.value);
    const percent = data.percent, format = (v) => percent ? share.format(v) : whole.format(v), tick = (v) => percent ? tenth.format(v) : whole.format(v);
    const most = Math.max(...values, percent ? .01 : 1);
    const axis = data.whole ? { max: 1, interval: .2 } : percent ? { max: Math.ceil(most * 10) / 10, interval: most > .5 ? .2 : .1 } : scale(most);
    const value = { type: "value", ...axis, inverse: flat && rtl(), position: flat ? "bottom" : rtl() ? "right" : "left", axisLabel: { color: colour("ink-3"), fontSize: 12, formatter: tick, hideOverlap: true }, splitLine: { lineStyle: { color: colour("line") } } };
    const every = flat ? 0 : data.every ? (narrow ? 2 : 0) : Math.max(0, Math.ceil(data.bars.length / Math.max(4, Math.floor(width / 60)) / 5) * 5 - 1);
    const longest = Math.max(...data.bars.map((b) => b.name.length)) * 6.4 + 20, side = flat ? Math.min(longest, narrow ? 110 : 220) : 52;
    const category = {
      type: "category", inverse: flat ? true : rtl(), position: flat ? rtl() ? "right" : "left" : "bottom", data: data.bars.map((b) => b.name),
      axisLine: { lineStyle: { color: colour("line-strong") } }, axisTick: { show: false }, axisLabel: { color: flat ? colour("ink") : colour("ink-3"), fontSize: 12, interval: every, margin: 10, ...(flat ? { width: side - 16, overflow: "truncate" } : {}) },
    };
    return {
      grid: { top: data.marks?.length ? 36 : 8, bottom: 28, left: rtl() ? 72 : side, right: rtl() ? side : flat ? 72 : 12 },
      xAxis: flat ? value : category, yAxis: flat ? category : value,
      tooltip: { trigger: "axis", ...tip(), axisPointer: { type: "shadow", shadowStyle: { color: colour("tint"), opacity: .6 } }, formatter: ([{ dataIndex: i }]) => tipTable(data.bars[i].head ?? data.bars[i].name, data.bars[i].rows.map(([name, text]) => [null, name, text])) },
      series: [{
        type: "bar", data: data.bars.map((b) => ({ value: b.value, itemStyle: { color: colour(b.colour ?? "s1") } })), barWidth: flat ? 18 : "80%", showBackground: data.whole, backgroundStyle: { color: colour("tint") }, emphasis: { disabled: true },
        label: { show: flat, position: rtl() ? "left" : "right", color: colour("ink"), fontSize: 12, fontWeight: 600, formatter: ({ value: v }) => format(v) },
        markLine: data.marks?.length ? { silent: true, symbol: ["none", "diamond"], symbolSize: 9, animation: false, lineStyle: { color: colour("accent"), width: 1, type: [2, 3] }, label: { color: colour("accent"), fontSize: 12, position: "end", distance: 10, formatter: ({ name }) => name }, data: data.marks.map((m) => ({ name: m.name, xAxis: m.at })) } : undefined,
      }],
      say: (i) => `${data.bars[i].head ?? data.bars[i].name}: ${data.bars[i].rows.map(([name, text]) => `${name} ${text}`).join(", ")}`,
      length: data.bars.length,
      cursor: -1,
    };
  }

  /* Answers: hollow bar = first attempt, solid bar = last. The right one is said in words too. */
  function answers(data, { narrow }) {
    const own = (a) => colour(a.correct ? "s3" : "s1"), counted = data.answers.some((a) => a.first !== null);
    const label = (attempt) => ({ show: true, position: rtl() ? "left" : "right", color: colour(attempt === "last" ? "ink" : "ink-3"), fontSize: 12, fontWeight: attempt === "last" ? 600 : 400, formatter: ({ value }) => attempt === "last" && !narrow ? `${whole.format(value)}  ${share.format(value / data.all)}` : whole.format(value) });
    const name = (a) => a.correct ? `${a.value} ✓ ${data.correct}` : a.value, of = (n, all) => all ? `${count(n)} · ${share.format(n / all)}` : count(n);
    const longest = Math.max(...data.answers.map((a) => (a.correct && !narrow ? name(a) : a.value).length)) * 7.4 + 28;
    const side = Math.min(Math.max(longest, 72), narrow ? 130 : 280), room = narrow ? 44 : 96;
    const bar = (key, width, style) => ({ type: "bar", name: data[key], barWidth: width, barGap: "35%", data: data.answers.map((a) => ({ value: a[key], itemStyle: style(a) })), label: label(key), emphasis: { disabled: true } });
    return {
      grid: { top: 4, bottom: 24, left: rtl() ? room : side, right: rtl() ? side : room },
      xAxis: { type: "value", inverse: rtl(), ...scale(Math.max(1, ...data.answers.flatMap((a) => [a.first ?? 0, a.last]))), axisLabel: { color: colour("ink-3"), fontSize: 12, formatter: (v) => whole.format(v), hideOverlap: true }, splitLine: { lineStyle: { color: colour("line") } } },
      yAxis: {
        type: "category", inverse: true, position: rtl() ? "right" : "left", data: data.answers.map((a) => a.value), axisLine: { lineStyle: { color: colour("line-strong") } }, axisTick: { show: false },
        axisLabel: {
          fontSize: 12, margin: 12, color: colour("ink"), interval: 0, width: side - 16, overflow: "truncate",
          formatter: (_, i) => data.answers[i].correct ? `{ok|✓ ${data.correct}}${narrow ? "\n" : "  "}{b|${data.answers[i].value.replace(/[{}|]/g, " ")}}` : data.answers[i].value.replace(/[{}|]/g, " "),
          rich: { ok: { color: colour("good"), fontWeight: 600, fontSize: 12, lineHeight: 16 }, b: { fontWeight: 600, color: colour("ink"), fontSize: 12, lineHeight: 16 } },
        },
      },
      tooltip: { trigger: "axis", ...tip(), axisPointer: { type: "shadow", shadowStyle: { color: colour("tint"), opacity: .6 } }, formatter: ([{ dataIndex: i }]) => { const a = data.answers[i]; return tipTable(name(a), [...(counted ? [[null, data.first, of(a.first, data.allFirst)]] : []), [null, data.last, of(a.last, data.all)]]); } },
      series: [
        ...(counted ? [bar("first", 9, (a) => ({ color: colour("surface"), borderColor: own(a), borderWidth: 1.5 }))] : []),
        bar("last", 11, (a) => ({ color: own(a) })),
      ],
      say: (i) => { const a = data.answers[i]; return `${name(a)}: ${counted ? `${data.first} ${count(a.first)}, ` : ""}${data.last} ${count(a.last)}`; },
      length: data.answers.length,
      cursor: -1,
    };
  }

  /* Lying bars of two parts: a solid one, and what is missing of the whole as a hollow one. */
  function stacked(data, { narrow }) {
    const longest = Math.max(...data.bars.map((b) => b.name.length)) * 6.4 + 20, side = Math.min(longest, narrow ? 110 : 220), room = 72;
    const most = Math.max(1, ...data.bars.map((b) => b.values[0] + b.values[1]));
    const bar = (n, style, label) => ({ type: "bar", stack: "whole", barWidth: 18, emphasis: { disabled: true }, data: data.bars.map((b) => b.values[n]), itemStyle: style, label });
    return {
      grid: { top: 8, bottom: 28, left: rtl() ? room : side, right: rtl() ? side : room },
      xAxis: { type: "value", inverse: rtl(), ...scale(most), axisLabel: { color: colour("ink-3"), fontSize: 12, formatter: (v) => whole.format(v), hideOverlap: true }, splitLine: { lineStyle: { color: colour("line") } } },
      yAxis: { type: "category", inverse: true, position: rtl() ? "right" : "left", data: data.bars.map((b) => b.name), axisLine: { lineStyle: { color: colour("line-strong") } }, axisTick: { show: false }, axisLabel: { color: colour("ink"), fontSize: 12, interval: 0, margin: 10, width: side - 16, overflow: "truncate" } },
      tooltip: { trigger: "axis", ...tip(), axisPointer: { type: "shadow", shadowStyle: { color: colour("tint"), opacity: .6 } }, formatter: ([{ dataIndex: i }]) => tipTable(data.bars[i].name, data.bars[i].rows.map(([name, text]) => [null, name, text])) },
      series: [
        bar(0, { color: colour("s1") }),
        bar(1, { color: colour("surface"), borderColor: colour("s1"), borderWidth: 1.5 }, { show: true, position: rtl() ? "left" : "right", color: colour("ink"), fontSize: 12, fontWeight: 600, formatter: ({ dataIndex: i }) => data.bars[i].share }),
      ],
      say: (i) => `${data.bars[i].name}: ${data.bars[i].rows.map(([name, text]) => `${name} ${text}`).join(", ")}`,
      length: data.bars.length,
      cursor: -1,
    };
  }

  /* A video: viewers of each second as an area, replays stacked on it, viewers of the last run as a dashed line.
     Where many leave is a band, where many watch again a line; their names stand above. */
  function timeline(data, { narrow, height, width }) {
    const clock = (s) => `${whole.format(Math.floor(s / 60))}:${pair.format(s % 60)}`, end = data.seconds.at(-1);
    const [viewers, replays, before] = data.names, rows = data.places.length ? 2 : 0;
    const grid = { top: 16 + 20 * rows, bottom: 28, left: rtl() ? 16 : 52, right: rtl() ? 52 : 16 };
    const step = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800].find((n) => end / n <= Math.max(2, Math.floor(width / 80))) ?? 3600;
    const ticks = []; for (let t = 0; t <= end; t += step) ticks.push(t);
    const most = Math.max(1, ...data.viewers.map((v, i) => v + data.replays[i]), ...(data.before ?? []).filter((v) => v !== null));
    const axis = scale(most), at = (values) => values.map((v, i) => [data.seconds[i], v]);
    const line = (values, style) => ({ type: "line", data: at(values), symbol: "none", emphasis: { disabled: true }, ...style });
    const axisLine = { lineStyle: { color: colour("line-strong") } };
    const taken = [-Infinity, -Infinity];
    const marks = [...data.places].sort((a, b) => a.from - b.from).map((place) => {
      const middle = (place.from + Math.min(place.to, end)) / 2, x = middle / Math.max(1, end) * (width - grid.left - grid.right), half = place.name.length * 3.3 + 6;
      const lane = taken.findIndex((to) => x - half > to), inside = x - half > -grid.left && x + half < width - grid.left;
      if (lane >= 0 && inside && !narrow) taken[lane] = x + half;
      return { place, middle, label: lane >= 0 && inside && !narrow ? lane : -1 };
    });
    const style = { color: colour("accent"), width: 1, type: [2, 3] };
    const near = (s) => data.places.filter((p) => p.from <= s && s < p.to);
    const head = (i) => i + 1 < data.seconds.length ? `${clock(data.seconds[i])}–${clock(data.seconds[i + 1])}` : clock(data.seconds[i]);
    return {
      grid,
      xAxis: { type: "value", inverse: rtl(), min: 0, max: end, axisTick: { show: true, length: 4, customValues: ticks, ...axisLine }, axisLine: { ...axisLine, onZero: false }, axisLabel: { color: colour("ink-3"), fontSize: 12, formatter: clock, customValues: ticks, margin: 10, hideOverlap: true }, splitLine: { show: false } },
      yAxis: { type: "value", position: rtl() ? "right" : "left", ...axis, axisLabel: { color: colour("ink-3"), fontSize: 12, formatter: (v) => whole.format(v), margin: 10 }, splitLine: { lineStyle: { color: colour("line") } } },
      tooltip: {
        trigger: "axis", ...tip(), axisPointer: { type: "line", lineStyle: { color: colour("ink-2"), type: "solid" } },
        formatter: (points) => { const i = (points.find((p) => p.seriesIndex === 0) ?? points[0]).dataIndex; return tipTable(head(i), [["s1", viewers, count(data.viewers[i])], ["s2", replays, count(data.replays[i])], ...(data.before ? [["n0", before, count(data.before[i])]] : []), ...near(data.seconds[i]).map((p) => ["a0", p.name, ""])]); },
      },
      series: [
        line(data.viewers, {
          stack: "views", color: colour("s1"), lineStyle: { width: 2 }, areaStyle: { opacity: .2 },
          markLine: { silent: true, animation: false, symbol: ["none", "diamond"], symbolSize: 9, lineStyle: style, data: marks.map(({ place, middle, label }) => ({ name: place.name, xAxis: middle, label: { show: label >= 0, color: colour("accent"), fontSize: 12, position: "end", distance: 10 + 18 * Math.max(0, label), formatter: ({ name }) => name } })) },
        }),
        line(data.replays, { stack: "views", color: colour("s2"), lineStyle: { width: 2 }, areaStyle: { opacity: .2 } }),
        ...(data.before ? [line(data.before, { color: colour("ink-3"), lineStyle: { width: 1.5, type: [4, 4] }, connectNulls: false })] : []),
        { type: "line", silent: true, symbol: "none", color: colour("accent"), lineStyle: { width: 0 }, areaStyle: { opacity: .12 }, emphasis: { disabled: true }, data: data.places.flatMap((p) => { const to = Math.min(p.to, end); return [[p.from, axis.max], [to, axis.max], [to, null]]; }) },
      ],
      say: (i) => `${head(i)}: ${viewers} ${count(data.viewers[i])}, ${replays} ${count(data.replays[i])}${data.before ? `, ${before} ${count(data.before[i])}` : ""}${near(data.seconds[i]).map((p) => `, ${p.name}`).join("")}`,
      length: data.seconds.length,
      cursor: -1,
    };
  }

  /* World map. The shapes come projected to Equal Earth, hence aspectScale 1. */
  function map(data) {
    echarts.registerMap("world", window.WORLD);
    const step = (n) => data.steps.findLastIndex((from) => n >= from) + 1;
    const by = new Map(data.countries.map((c) => [c.code, c]));
    return {
      tooltip: { trigger: "item", ...tip(), formatter: ({ name }) => { const c = by.get(name); return tipTable(c?.name ?? data.names[name] ?? name, [[null, data.count, count(c?.value ?? 0)], [null, data.share, c?.share ?? share.format(0)]]); } },
      series: [{
        type: "map", map: "world", aspectScale: 1, nameProperty: "id", left: 0, right: 0, top: 4, bottom: 4, preserveAspect: "contain", selectedMode: false,
        itemStyle: { areaColor: colour("q0"), borderColor: colour("surface"), borderWidth: .6 }, emphasis: { label: { show: false }, itemStyle: { areaColor: "inherit", borderColor: colour("ink"), borderWidth: 1.5 } },
        data: data.countries.map((c) => ({ name: c.code, value: c.value, itemStyle: { areaColor: colour(`q${step(c.value)}`) } })),
      }],
      say: (i) => `${data.countries[i].name}: ${count(data.countries[i].value)}, ${data.countries[i].share}`,
      length: data.countries.length,
      cursor: -1,
    };
  }

  const kinds = { trend, bars, stacked, map, answers, timeline };

  /* The names of the colours that stand beside the drawing, in rows that fit the width. */
  function legend(figure, paper, width) {
    const items = [...figure.querySelectorAll(".key li, .scale li")].filter((item) => item.getClientRects().length);
    let x = 12, row = 0;
    return items.map((item) => {
      const text = item.textContent.trim(), wide = 36 + paper.measureText(text).width;
      if (x + wide > width) [x, row] = [12, row + 1];
      const place = { text, row, x, colour: getComputedStyle(item.querySelector("svg")).color };
      x += wide;
      return place;
    });
  }

  /* The drawing as a picture: title, course, what is counted and the names of the colours above the SVG, painted
     at twice the size. */
  async function picture(figure, chart, name) {
    const width = chart.getWidth(), height = chart.getHeight(), svg = figure.querySelector(".chart svg");
    const copy = svg.cloneNode(true);
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    const source = new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
    const image = new Image(width, height), address = URL.createObjectURL(source);
    image.src = address;
    await image.decode();
    const [title, caption, ...notes] = [`#${figure.id}-title`, `#${figure.id}-title + p`, ".where b", ".where .id", ".asof"].map((part) => document.querySelector(part)?.textContent);
    const canvas = document.createElement("canvas"), paper = canvas.getContext("2d");
    paper.font = `12px ${font()}`;
    const names = legend(figure, paper, width), head = names.length ? 104 + names.at(-1).row * 20 : 84;
    Object.assign(canvas, { width: width * 2, height: (height + head) * 2 });
    paper.scale(2, 2);
    paper.fillStyle = colour("surface");
    paper.fillRect(0, 0, width, height + head);
    const write = (text, x, y, ink, style) => {
      paper.fillStyle = colour(ink);
      paper.font = `${style} ${font()}`;
      paper.textAlign = rtl() ? "right" : "left";
      paper.direction = rtl() ? "rtl" : "ltr";
      paper.fillText(text, rtl() ? width - x : x, y, width - 24);
    };
    write(title, 12, 28, "ink", "600 16px");
    write(caption, 12, 48, "ink-2", "12px");
    write(notes.filter(Boolean).join(" · "), 12, 66, "ink-3", "12px");
    for (const { text, row, x, colour: paint } of names) {
      paper.fillStyle = paint;
      paper.fillRect(rtl() ? width - x - 12 : x, 82 + row * 20, 12, 10);
      write(text, x + 18, 91 + row * 20, "ink-2", "12px");
    }
    paper.drawImage(image, 0, head, width, height);
    URL.revokeObjectURL(address);
    canvas.toBlob((blob) => {
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }, "image/png");
  }

  function draw(figure) {
    const box = figure.querySelector(".chart"), live = figure.querySelector("[aria-live]");
    const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    let chart, option, cursor;
    const paint = (width = box.clientWidth, height = box.clientHeight) => {
      if (!(width > 0 && height > 40)) return;  // not laid out yet: the observer below calls when it is
      chart?.dispose();
      chart = echarts.init(box, null, { renderer: "svg", width, height });
      option = kinds[figure.dataset.chart](data, { mode: figure.dataset.mode, narrow: width < 600, height, width });
      const { say, length, cursor: start, ...rest } = option;
      cursor = start;
      chart.setOption({ animation: false, useUTC: true, textStyle: { fontFamily: font() }, ...rest });
      const svg = box.querySelector("svg");
      svg.setAttribute("aria-hidden", "true");
      svg.setAttribute("viewBox", `0 0 ${chart.getWidth()} ${chart.getHeight()}`);
    };
    /* Where the tooltip of a point belongs. On an axis over time, or over the seconds of a video, by its pixel: a point on the very edge of the
       drawing counts as outside it, so it is moved in by a hair. */
    const place = (i) => {
      const { grid } = option;
      const points = data.days ?? data.seconds;
      if (!points) return { seriesIndex: 0, dataIndex: i };
      const x = chart.convertToPixel({ xAxisIndex: 0 }, points[i]), hair = .01;
      return { x: Math.min(Math.max(x, grid.left + hair), chart.getWidth() - grid.right - hair), y: chart.getHeight() / 2 };
    };
    const go = (to) => {
      cursor = Math.max(0, Math.min(option.length - 1, to));
      chart.dispatchAction({ type: "downplay" });
      chart.dispatchAction({ type: "highlight", seriesIndex: 0, dataIndex: cursor });
      chart.dispatchAction({ type: "showTip", ...place(cursor) });
      live.textContent = option.say(cursor);
    };
    box.addEventListener("keydown", (event) => {
      const forward = rtl() ? -1 : 1;
      const to = { ArrowRight: cursor + forward, ArrowLeft: cursor - forward, ArrowDown: cursor + 1, ArrowUp: cursor - 1, Home: 0, End: option.length - 1 }[event.key];
      if (event.key === "Escape") for (const type of ["hideTip", "downplay"]) chart.dispatchAction({ type });
      if (to === undefined) return;
      event.preventDefault();
      go(to);
    });
    for (const button of document.querySelectorAll(`[data-picture="${figure.id}"]`)) button.addEventListener("click", () => picture(figure, chart, button.dataset.name));
    new ResizeObserver(() => { if (!matchMedia("print").matches && !(Math.abs(chart?.getWidth() - box.clientWidth) <= 1)) paint(); }).observe(box);
    addEventListener("themechange", () => paint());
    addEventListener("beforeprint", () => paint(SHEET, Math.round(box.clientHeight / box.clientWidth * SHEET * (box.clientWidth < SHEET ? 1 : 1.2))));
    addEventListener("afterprint", () => paint());
    paint();
  }

  document.addEventListener("DOMContentLoaded", () => {
    probe.hidden = true;
    document.body.append(probe);
    document.querySelectorAll("figure[data-chart]").forEach(draw);
  });
})();
