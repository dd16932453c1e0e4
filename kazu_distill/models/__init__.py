"""What every model that is trained or run here needs: device, threads, checkpoints, early stopping, the hub."""
