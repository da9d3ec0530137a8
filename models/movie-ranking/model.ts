import { defineModel } from '../../domain/model-definition.js';

const count = { type: 'number', min: 0, max: 1_000_000 } as const;

export default defineModel({
  name: 'movie-ranking',
  description: 'Puts the films that a user has not rated yet in the order in which the user will like them.',
  owner: 'recommendations',
  task: 'ranking',
  contract: {
    entity: ['user_id', 'film_id'],
    eventTime: 'asked_at',
    group: 'user_id',
    label: { name: 'liked', type: 'boolean', description: 'rated with 4 or 5 stars afterwards' },
    features: {
      likes: { ...count, description: 'users who liked the film' },
      likes_30d: { ...count, description: 'of them in the last 30 days' },
      mean_stars: { type: 'number', min: 0, max: 5, description: 'drawn to 3.5 where there are few' },
      release_year: { type: 'number', nullable: true, min: 1890, max: 2100 },
      item_similarity: { type: 'number', description: 'EASE score of the film for what the user liked' },
      co_liked: { type: 'number', description: 'sum of cosine similarities to what the user liked' },
      genre_affinity: { type: 'number', min: 0, max: 100, description: 'share of its genres in what the user liked' },
      user_likes: { ...count, description: 'films that the user liked' },
    },
  },
  data: {
    cadence: 'month',
    tables: {
      candidates: {
        columns: {
          asked_at: 'timestamp',
          user_id: 'integer',
          film_id: 'integer',
          likes: 'number',
          likes_30d: 'number',
          mean_stars: 'number',
          release_year: 'number',
          item_similarity: 'number',
          co_liked: 'number',
          genre_affinity: 'number',
          user_likes: 'number',
          liked: 'boolean',
        },
        key: ['user_id', 'film_id'],
      },
    },
    base: 'candidates',
    window: { kind: 'expanding', from: '1997-11' },
  },
  training: {
    algorithm: 'lightgbm',
    parameters: { num_iterations: 100, num_leaves: 7, learning_rate: 0.05, min_data_in_leaf: 500 },
  },
  evaluation: {
    gates: [
      // Popularity alone finds 0.168 of the films that these users will like among its first ten.
      { name: 'better than popularity', metric: 'recallAtK', k: 10, atLeast: 0.17 },
      { name: 'the best on top', metric: 'ndcg', k: 10, atLeast: 0.15 },
    ],
  },
  rollout: {
    strategy: 'canary',
    steps: [
      { sharePct: 25, minRequests: 300, minSeconds: 5 },
      { sharePct: 100, minRequests: 300, minSeconds: 5 },
    ],
    lookEverySeconds: 2,
  },
});
