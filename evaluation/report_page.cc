#include "evaluation/report_page.h"

namespace rebound {

const std::string_view kPageHead = R"html(<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Rebound evaluation</title>
<style>
:root{color-scheme:light dark;--page:#f7f8fa;--card:#fff;--ink:#1b212b;--soft:#5d6778;--line:#e2e6ec;--good:#2f6db5;--bad:#c9424f;--fill:#dde9f7;--on:#fff}
@media (prefers-color-scheme:dark){:root{--page:#12151a;--card:#1a1f26;--ink:#e5e9ef;--soft:#97a3b4;--line:#2d343f;--good:#6aa5ea;--bad:#f0707e;--fill:#26384f;--on:#0d1117}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:2rem 1.25rem 3rem;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
h1{font-size:1.7rem;margin:0}h2{font-size:1.35rem;margin:2.75rem 0 .25rem}h3{font-size:1rem;margin:0 0 .6rem}
p{margin:.25rem 0}.soft{color:var(--soft)}small{color:var(--soft)}a{color:var(--good)}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1.1rem 1.25rem;margin-top:1rem;overflow-x:auto}
.row{display:flex;flex-wrap:wrap;gap:1rem}.row>.card{flex:1 1 22rem;min-width:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:1rem}
.tile b{display:block;font-size:2.3rem;line-height:1.2;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{font-weight:600;color:var(--soft);font-size:.82rem;white-space:nowrap}
th,td{padding:.28rem .7rem;text-align:right;border-bottom:1px solid var(--line);vertical-align:middle}
tr:last-child td{border-bottom:0}th:first-child,td:first-child{text-align:left;padding-left:0}
.figures td,.figures small{white-space:nowrap}.figures td small{display:block}.figures tr.minor td{padding-top:.12rem;padding-bottom:.12rem;border:0}tr.first td{border-top:1px solid var(--soft)}tr.minor td{color:var(--soft)}
.code{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:.85em}
.track{display:inline-block;position:relative;width:7.5rem;height:.72rem;border-radius:3px;background:var(--line);vertical-align:middle;margin-left:.6rem}
.track i{position:absolute;inset:0 auto 0 0;background:var(--good);border-radius:3px}
.track u{position:absolute;top:calc(50% - 1px);height:2px;background:var(--ink)}
.classes .track{width:5rem}.slices td+td{white-space:nowrap}
details{border-top:1px solid var(--line);padding:.4rem 0}details:first-of-type{border-top:0}summary{cursor:pointer}
blockquote{margin:.35rem 0 .5rem 1.1rem;padding-left:.8rem;border-left:3px solid var(--line);white-space:pre-wrap;overflow-wrap:anywhere;font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:.82rem}
svg{display:block;max-width:100%;height:auto;font-size:11px;overflow:visible}svg text{fill:var(--soft)}svg text.on{fill:var(--on)}svg .label{fill:var(--ink);font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:10.5px;white-space:pre}
svg .good{fill:var(--good)}svg .bad{fill:var(--bad)}svg .gap{fill-opacity:.4}.row svg{width:100%!important;max-width:31rem;margin:0 auto}svg .count{fill:var(--soft);fill-opacity:.55}svg .cell{fill:none;stroke:var(--line)}
svg .grid{stroke:var(--line)}svg .axis{stroke:var(--soft)}svg .ideal{stroke:var(--soft);stroke-dasharray:5 4}
svg .curve{fill:none;stroke-width:2}svg .curve.good{stroke:var(--good)}svg .curve.bad{stroke:var(--bad)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:0}dt{color:var(--soft)}dd{margin:0}
@media print{body{background:none}.card{break-inside:avoid}}
</style></head><body>
)html";

const std::string_view kPageFoot = R"html(<h2>How to read it</h2>
<div class="card"><dl>
<dt>right</dt><dd>The answer is among the classes that the row accepts. “Sure” rows are those that a careful person could label; figures are over them where nothing else is said.</dd>
<dt>accuracy</dt><dd>Share of right answers, with Wilson’s 95 % interval.</dd>
<dt>with doubtful</dt><dd>Accuracy over all rows, those that a careful person was not sure of with them.</dd>
<dt>macro recall</dt><dd>Mean over classes of the share found, over rows that accept one class alone.</dd>
<dt>macro-F1</dt><dd>Mean over classes with rows of 2·right / (rows + answers).</dd>
<dt>ECE</dt><dd>Expected calibration error: mean distance between stated probability and share right, over 15 bins, weighted by rows.</dd>
<dt>intervals</dt><dd>Of macro recall, macro-F1 and ECE: 1,000 bootstrap draws of the rows, 95 %.</dd>
<dt>baselines</dt><dd>“Majority class” gives the one class that is right most often on this very file (of a training run: that most of its texts have). “Status codes” reads the enhanced and the basic code by their RFCs and gives the majority class where they fix nothing. “fastText” learned from the same texts as the model.</dd>
<dt>learning curve</dt><dd>What the training run’s network is worth that learned from a part of the templates, each part half of the next, judged by the same held-out texts. A curve that still rises at its end asks for more templates.</dd>
<dt>reliability</dt><dd>A bar without its red part reaches to the share right. Red: the answers were less often right than their probability said (too sure); pale blue: more often (too modest). On the dashed line both are equal. Below: how many rows a bar stands for.</dd>
<dt>confusion</dt><dd>Rows are truths, columns answers; a cell says the per cent of the truth’s rows. Numbers are those of the table of classes.</dd>
</dl></div>
</body></html>
)html";

}  // namespace rebound
