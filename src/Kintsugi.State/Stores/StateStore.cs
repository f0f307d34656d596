using System.Data.Common;

namespace Kintsugi.State;

/// <summary>What our memory lies in: a SQLite file of one machine, or a PostgreSQL database that several nodes share.</summary>
public abstract class StateStore : IDisposable
{
    /// <summary>Where it is, for people; without a password.</summary>
    public abstract string Place { get; }

    /// <summary>Several nodes may work with it at once.</summary>
    public abstract bool IsShared { get; }

    /// <summary>Looks; what it sees in one statement is of one moment.</summary>
    /// <exception cref="StateException">It is full, broken, away or held by another process for too long.</exception>
    internal abstract T Look<T>(Func<DbConnection, T> work);

    /// <summary>Changes all that the work changes, or nothing; one writer at a time.</summary>
    /// <exception cref="StateException">It is full, broken, away or held by another process for too long.</exception>
    internal abstract T Change<T>(Func<DbConnection, T> work);

    /// <summary>Looks more than once at the same moment.</summary>
    internal abstract T Still<T>(Func<DbConnection, T> work);

    internal void Change(Action<DbConnection> work) => Change(connection =>
    {
        work(connection);
        return true;
    });

    public abstract void Dispose();
}
