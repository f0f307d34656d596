namespace Kintsugi.Rules;

/// <summary>What the owner wants done with a row that breaks a rule. Whatever it is, the row as it was is kept in quarantine
/// first, with one command to put it back.</summary>
public abstract record RowRepair
{
    private RowRepair()
    {
    }

    /// <summary>Leave it and say so: the default of every rule.</summary>
    public sealed record Report : RowRepair;

    /// <summary>Move the row into quarantine.</summary>
    public sealed record Quarantine : RowRepair;

    /// <summary>Set the referring columns to NULL.</summary>
    public sealed record SetNull : RowRepair;

    /// <summary>Set the referring columns to their defaults.</summary>
    public sealed record SetDefault : RowRepair;

    /// <summary>Insert the missing parent with its key and the defaults of its other columns.</summary>
    public sealed record RecreateParent : RowRepair;

    /// <summary>Remove the row as ON DELETE CASCADE would have done.</summary>
    public sealed record Delete : RowRepair;

    /// <summary>Set the column to NULL.</summary>
    public sealed record Nullify : RowRepair;

    /// <summary>Set the column to a SQL expression over the row.</summary>
    public sealed record SetExpression(string Sql) : RowRepair;

    /// <summary>Whether the owner chose anything beyond being told; that is consent to a reversible repair.</summary>
    public bool Acts => this is not Report;
}

/// <summary>Which of several rows under one unique key stays; the others go to quarantine.</summary>
public abstract record KeepRow
{
    private KeepRow()
    {
    }

    /// <summary>The one written last (by transaction, then place).</summary>
    public sealed record Newest : KeepRow;

    /// <summary>The one written first.</summary>
    public sealed record Oldest : KeepRow;

    /// <summary>The one that most rows of other tables refer to.</summary>
    public sealed record MostReferenced : KeepRow;

    /// <summary>The first in this order: the text after ORDER BY.</summary>
    public sealed record OrderBy(string Sql) : KeepRow;
}
