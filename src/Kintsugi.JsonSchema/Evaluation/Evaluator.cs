using System.Runtime.CompilerServices;

namespace Kintsugi.JsonSchema;

/// <summary>
/// Judges one document after another. Without a report it stops at the first broken rule and allocates nothing;
/// with one it goes on. Not for two threads at once.
/// </summary>
internal sealed partial class Evaluator(bool dynamicScope)
{
    private readonly Stack<Marks> _marks = new();
    private readonly List<SchemaResource> _scope = [];
    private Tape _tape = null!;
    private Report? _report;

    public Tape Tape { get; } = new();

    public bool Run(SchemaNode root, Report? report)
    {
        (_tape, _report) = (Tape, report);
        return Holds(root, 0, null);
    }

    private bool Enough => _report is null || _report.IsFull;

    /// <param name="given">Where the caller wants to know which members were evaluated; else null.</param>
    private bool Holds(SchemaNode node, int at, Marks? given)
    {
        if (node.Fixed is { } holds)
            return holds || Fail(node, null, at, "nothing is allowed here");
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new UndecidedException("the document or the schema is nested too deeply");
        var entered = dynamicScope && (_scope.Count == 0 || _scope[^1] != node.Resource);
        if (entered)
            _scope.Add(node.Resource);
        var marks = given ?? (node.Unevaluated && _tape[at].Kind >= JsonKind.Array ? Rent() : null);
        var ok = Values(node, at);
        if (ok || !Enough)
            ok &= Members(node, at, marks);
        if (node.SameValue is { } rules && (ok || !Enough))
            ok &= SameValue(node, rules, at, marks);

        // After another fault it is not known what would have been evaluated: a complaint here could be a false one.
        if (ok && node.Unevaluated && marks is not null)
            ok = Unevaluated(node, at, marks);
        if (marks is not null && given is null)
            _marks.Push(marks);
        if (entered)
            _scope.RemoveAt(_scope.Count - 1);
        return ok;
    }

    private bool Members(SchemaNode node, int at, Marks? marks) => _tape[at].Kind switch
    {
        JsonKind.Object => node.Object is null || Object(node, node.Object, at, marks),
        JsonKind.Array => node.Array is null || Array(node, node.Array, at, marks),
        _ => true,
    };

    /// <summary>Whether a schema holds, without a word about it.</summary>
    private bool Quietly(SchemaNode node, int at, Marks? marks)
    {
        var report = _report;
        _report = null;
        var holds = Apply(node, at, marks);
        _report = report;
        return holds;
    }

    /// <summary>Applies a schema to the same value; what it evaluated counts only when it holds (core 7.7.1.2).</summary>
    private bool Apply(SchemaNode node, int at, Marks? marks)
    {
        if (marks is null)
            return Holds(node, at, null);
        var own = Rent();
        var holds = Holds(node, at, own);
        if (holds)
            marks.Merge(own);
        _marks.Push(own);
        return holds;
    }

    private Marks Rent()
    {
        if (!_marks.TryPop(out var marks))
            return new Marks();
        marks.Clear();
        return marks;
    }

    private bool Fail(SchemaNode node, string? keyword, int at, string expected)
    {
        _report?.Add(_tape, at, node, keyword, $"{expected}, found {Describe.Value(_tape, at)}");
        return false;
    }
}
