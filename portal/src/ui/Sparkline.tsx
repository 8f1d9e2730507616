// A small line without axes; the number beside it carries the meaning.
export function Sparkline({
  values,
  limit,
  label,
}: {
  values: number[];
  limit?: number | null;
  label: string;
}) {
  const width = 200;
  const height = 40;
  const top = Math.max(limit ?? 0, ...values, 1e-9);
  const step = values.length > 1 ? width / (values.length - 1) : width;
  const points = values.map(
    (value, i) => `${(i * step).toFixed(1)},${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`,
  );
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      width="100%"
      height={height}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <line
        x1="0"
        x2={width}
        y1={height - 1}
        y2={height - 1}
        stroke="var(--line)"
        vectorEffect="non-scaling-stroke"
      />
      {points.length > 1 && (
        <>
          <polygon
            points={`0,${height} ${points.join(' ')} ${width},${height}`}
            fill="var(--working)"
            opacity="0.12"
          />
          <polyline
            points={points.join(' ')}
            fill="none"
            stroke="var(--working)"
            strokeWidth="1.5"
            vectorEffect="non-scaling-stroke"
          />
        </>
      )}
    </svg>
  );
}
