//! Sharing a length out by weight in whole units: ratios in billionths, and cells.

/// Ratios are whole billionths. So they sum to 1 without a rounding error that grows from change to change, and
/// their few digits mean the same number to every reader of JSON.
pub(super) const WHOLE: u64 = 1_000_000_000;

/// A share of less than 2 % couldn't be seen or grasped; splits of very many children get by with less.
const LEAST: u64 = WHOLE / 50;

/// The least that each of `count` children gets, in billionths.
fn least_units(count: usize) -> u64 {
    LEAST.min(WHOLE / (2 * count.max(1) as u64))
}

/// The least ratio that each of `count` children gets.
pub(super) fn least_ratio(count: usize) -> f64 {
    to_ratio(least_units(count))
}

/// A ratio in billionths, rounded.
pub(super) fn to_units(ratio: f64) -> u64 {
    (ratio * WHOLE as f64).round() as u64
}

fn to_ratio(units: u64) -> f64 {
    units as f64 / WHOLE as f64
}

/// Ratios in proportion to `weights` (finite, positive) that sum to 1, none below [`least_ratio`].
pub(super) fn normalised(weights: &[f64]) -> Vec<f64> {
    let minimums = vec![least_units(weights.len()); weights.len()];
    share_out(WHOLE, &minimums, weights).into_iter().map(to_ratio).collect()
}

/// Shares `total` out by weight, but to each at least its minimum. The shares sum to `total`, which must not be less
/// than the sum of the minimums.
pub(super) fn share_out(total: u64, minimums: &[u64], weights: &[f64]) -> Vec<u64> {
    let weight_sum: f64 = weights.iter().sum();
    let spare = total - minimums.iter().sum::<u64>();
    // Those due more than their minimum share what is spare, in proportion to how much more. Where everybody is due
    // more, that is exactly what the weights say.
    let due = |weight: f64, minimum: u64| (weight / weight_sum * total as f64 - minimum as f64).max(0.0);
    let excess: Vec<f64> = weights.iter().zip(minimums).map(|(w, m)| due(*w, *m)).collect();
    let excess_sum: f64 = excess.iter().sum();

    let (mut sum, mut given) = (0.0, 0);
    let share = |(excess, minimum): (&f64, &u64)| {
        sum += excess;
        // Rounding the running sum rather than each share leaves nothing over at the end.
        let upto = if excess_sum > 0.0 { (sum / excess_sum * spare as f64).round() as u64 } else { spare };
        let share = minimum + (upto - given);
        given = upto;
        share
    };
    excess.iter().zip(minimums).map(share).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shares_follow_the_weights_and_keep_the_minimums() {
        for (total, minimums, weights, shares) in [
            (79, [2, 2, 2], [1.0, 1.0, 2.0], [20, 20, 39]),
            (78, [2, 2, 2], [1.0, 1.0, 1.0], [26, 26, 26]),
            (100, [10, 2, 2], [0.01, 0.5, 0.49], [10, 45, 45]),
            (6, [2, 2, 2], [1e-9, 1.0, 5.0], [2, 2, 2]),
        ] {
            assert_eq!(share_out(total, &minimums, &weights), shares, "{total} by {weights:?}");
        }
    }

    #[test]
    fn a_tiny_weight_still_gets_the_least_ratio() {
        assert_eq!(normalised(&[1.0, 1e-12]), [0.98, 0.02]);
        assert_eq!(normalised(&[1e300, 1e300]), [0.5, 0.5]);
        assert_eq!(normalised(&[1e-320, 1e-320]), [0.5, 0.5]);
    }

    proptest! {
        #[test]
        fn ratios_sum_to_one_and_stay_when_normalised_again(
            weights in proptest::collection::vec(1e-12f64..1e12, 1..200),
        ) {
            let ratios = normalised(&weights);
            prop_assert_eq!(ratios.iter().map(|ratio| to_units(*ratio)).sum::<u64>(), WHOLE);
            prop_assert!(ratios.iter().all(|ratio| *ratio >= least_ratio(weights.len())));
            prop_assert_eq!(normalised(&ratios), ratios);
        }
    }
}
