# frozen_string_literal: true

# Who of an organization is online, since when they were last heard of, and what they say they are doing.
class OrganizationPresence
  STATUSES = %w[online away busy dnd].freeze
  EXPIRY = 5.minutes

  def initialize(organization)
    @presence_key = "presence:org:#{organization.id}"
    @status_key = "status:org:#{organization.id}"
  end

  def mark_online(user, connection_id)
    $redis.multi do |multi|
      multi.hset(@presence_key, field(user, connection_id), Time.current.to_i)
      multi.expire(@presence_key, EXPIRY.to_i)
    end
  end

  def mark_offline(user, connection_id)
    $redis.hdel(@presence_key, field(user, connection_id))
  end

  def online?(user)
    last_seen.key?(user.id)
  end

  def set_status(user, status)
    $redis.multi do |multi|
      multi.hset(@status_key, user.id.to_s, status)
      multi.expire(@status_key, EXPIRY.to_i)
    end
  end

  def status_of(user)
    $redis.hget(@status_key, user.id.to_s) || "online"
  end

  def list
    seen = last_seen
    statuses = $redis.hgetall(@status_key)

    User.where(id: seen.keys).order(:name).map do |user|
      user.as_person.merge(status: statuses.fetch(user.id.to_s, "online"), last_seen: Time.zone.at(seen[user.id]).iso8601)
    end
  end

  private
    # User ids and the latest sign of life of any of their connections.
    def last_seen
      oldest = EXPIRY.ago.to_i
      $redis.hgetall(@presence_key).each_with_object({}) do |(field, timestamp), seen|
        user_id = field.split(":").first.to_i
        seen[user_id] = [ seen[user_id].to_i, timestamp.to_i ].max if timestamp.to_i >= oldest
      end
    end

    def field(user, connection_id)
      "#{user.id}:#{connection_id}"
    end
end
