namespace Kintsugi.Engine.Tests.Simulation;

/// <summary>SIGKILL: nobody catches it, and nothing is written after it.</summary>
internal sealed class SimulatedDeath : Exception;

/// <summary>A law of healing was broken.</summary>
internal sealed class BrokenLaw(string law) : Exception(law);
