# frozen_string_literal: true

namespace :cablestay do
  desc "Print the secret that the bridge needs (CABLESTAY_SECRET)"
  task secret: :environment do
    puts Cablestay::Secret.shared
  end
end
