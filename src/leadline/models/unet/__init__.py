"""The U-Net of the Keras tutorial on monocular depth, block by block, with its faults as options."""
