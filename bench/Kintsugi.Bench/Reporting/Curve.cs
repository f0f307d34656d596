using System.Globalization;
using System.Text;

namespace Kintsugi.Bench.Reporting;

/// <summary>Lines over logarithmic axes as an SVG that needs nothing else.</summary>
internal sealed record Curve(string Title, string Across, string Up, IReadOnlyList<(string Name, IReadOnlyList<(double X, double Y)> Points)> Series)
{
    private const int Width = 720, Height = 420, Left = 80, Right = 190, Top = 50, Bottom = 60;

    private static readonly string[] Colours = ["#0b6e4f", "#c0392b", "#2c5aa0", "#8e5ea2"];

    public string ToSvg()
    {
        var points = Series.SelectMany(series => series.Points).ToList();
        var (x, y) = (new Scale(points.Select(point => point.X), Left, Width - Right), new Scale(points.Select(point => point.Y), Height - Bottom, Top));
        var svg = new StringBuilder();
        Add(svg, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" font-family=\"sans-serif\" font-size=\"12\">");
        Add(svg, $"<rect width=\"{Width}\" height=\"{Height}\" fill=\"#fff\"/>");
        Add(svg, $"<text x=\"{Left}\" y=\"26\" font-size=\"15\">{Title}</text>");
        foreach (var mark in x.Marks)
        {
            Add(svg, $"<line x1=\"{x.At(mark):0.0}\" y1=\"{Top}\" x2=\"{x.At(mark):0.0}\" y2=\"{Height - Bottom}\" stroke=\"#ddd\"/>");
            Add(svg, $"<text x=\"{x.At(mark):0.0}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{mark:#,0.###}</text>");
        }
        foreach (var mark in y.Marks)
        {
            Add(svg, $"<line x1=\"{Left}\" y1=\"{y.At(mark):0.0}\" x2=\"{Width - Right}\" y2=\"{y.At(mark):0.0}\" stroke=\"#ddd\"/>");
            Add(svg, $"<text x=\"{Left - 8}\" y=\"{y.At(mark) + 4:0.0}\" text-anchor=\"end\">{mark:#,0.###}</text>");
        }
        Add(svg, $"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 16}\" text-anchor=\"middle\">{Across}</text>");
        Add(svg, $"<text x=\"20\" y=\"{(Top + Height - Bottom) / 2}\" text-anchor=\"middle\" transform=\"rotate(-90 20 {(Top + Height - Bottom) / 2})\">{Up}</text>");
        foreach (var (series, at) in Series.Select((series, at) => (series, at)))
            Draw(svg, series.Name, series.Points, Colours[at % Colours.Length], x, y);
        return svg.Append("</svg>\n").ToString();
    }

    private static void Draw(StringBuilder svg, string name, IReadOnlyList<(double X, double Y)> points, string colour, Scale x, Scale y)
    {
        var path = string.Join(' ', points.Select(point => FormattableString.Invariant($"{x.At(point.X):0.0},{y.At(point.Y):0.0}")));
        Add(svg, $"<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
        foreach (var point in points)
            Add(svg, $"<circle cx=\"{x.At(point.X):0.0}\" cy=\"{y.At(point.Y):0.0}\" r=\"3\" fill=\"{colour}\"/>");
        Add(svg, $"<text x=\"{Width - Right + 8}\" y=\"{y.At(points[^1].Y) + 4:0.0}\" fill=\"{colour}\">{name}</text>");
    }

    private static void Add(StringBuilder svg, FormattableString piece) => svg.Append(piece.ToString(CultureInfo.InvariantCulture)).Append('\n');

    /// <summary>Whole decades from the smallest value to the largest.</summary>
    private sealed class Scale(IEnumerable<double> values, double from, double to)
    {
        private readonly int first = (int)Math.Floor(Math.Log10(values.Min()));
        private readonly int last = (int)Math.Ceiling(Math.Log10(values.Max()));

        public IEnumerable<double> Marks => Enumerable.Range(first, Math.Max(last - first, 1) + 1).Select(power => Math.Pow(10, power));

        public double At(double value) => from + (to - from) * (Math.Log10(value) - first) / Math.Max(last - first, 1);
    }
}
